// msgpackr publishes this build without types; the two methods that are used.
declare module 'msgpackr/index-no-eval' {
  export class Packr {
    constructor(options: {
      readonly useRecords: false
      readonly copyBuffers: true
      readonly mapsAsObjects: true
    })
    pack(value: unknown): Uint8Array
    unpack(data: Uint8Array): unknown
  }
}
