// A transport that loses what goes to some peers and what comes from them, as long as it is told to: all of it, or only what
// would tell them of a newer term.

export class CutTransport {
  #inner
  #peers = new Set()
  #aboveTerm = -1

  constructor(inner) {
    this.#inner = inner
  }

  get maxMessageBytes() {
    return this.#inner.maxMessageBytes
  }

  get address() {
    return this.#inner.address
  }

  /** From these peers and to them nothing of a term above that arrives any more; from and to all others everything does. */
  cut(peers, aboveTerm) {
    this.#peers = new Set(peers)
    this.#aboveTerm = aboveTerm
  }

  addressProblem(address) {
    return this.#inner.addressProblem(address)
  }

  listen() {
    return this.#inner.listen()
  }

  start(local) {
    const receive = (from, message) => {
      if (!this.#isLost(from, message)) local.receive(from, message)
    }
    return this.#inner.start({
      id: local.id,
      clusterId: local.clusterId,
      storeId: local.storeId,
      get hello() {
        return local.hello
      },
      accept: (hello) => local.accept(hello),
      receive,
      peerStatus: (id, status) => local.peerStatus(id, status),
    })
  }

  send(to, message) {
    if (!this.#isLost(to.id, message)) this.#inner.send(to, message)
  }

  #isLost(peer, { term }) {
    return this.#peers.has(peer) && !(term <= this.#aboveTerm)
  }

  stop() {
    return this.#inner.stop()
  }
}
