// Messages between nodes of one process.
export type { MemoryNetworkOptions } from './links.js'
export { MemoryNetwork } from './memory-network.js'
