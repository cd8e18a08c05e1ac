// `helios-raft/tcp`: messages between processes.
export type { TcpCounters } from './counters.js'
export type { TcpTransportOptions } from './options.js'
export { TcpTransport } from './transport.js'
