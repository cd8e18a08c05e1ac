// The published suite on every transport of the package.
import { describe, test } from 'vitest'
import { testTransport } from '../../../src/testing/transport-suite.js'
import { MemoryNetwork } from '../../../src/transports/memory/index.js'
import { TcpTransport } from '../../../src/transports/tcp/index.js'

describe('MemoryNetwork', () => {
  void testTransport(async () => {
    const network = new MemoryNetwork()
    return { transport: async (id) => ({ transport: network.transport(id), address: id }) }
  }, test)
})

describe('MemoryNetwork with latency and loss', () => {
  void testTransport(async () => {
    const network = new MemoryNetwork({ seed: 7, latencyMs: [0, 3], lossRatio: 0.1 })
    return { transport: async (id) => ({ transport: network.transport(id), address: id }) }
  }, test)
})

describe('TcpTransport', () => {
  void testTransport(
    async () => ({
      transport: async () => {
        const transport = new TcpTransport({ listen: '127.0.0.1:0' })
        return { transport, address: await transport.listen() }
      },
    }),
    test,
  )
})
