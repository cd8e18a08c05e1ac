// The cases of testTransport about connections and their life: hellos, peers that come and go, start and stop. Each is a
// rule of the Transport interface (F3, F25, F33, F37).
import { type ConformanceCase, expectEqual, expectThat } from './conformance.js'
import { bulk, control, type TransportBench } from './transport-bench.js'

export const TRANSPORT_LIFE_CASES: readonly ConformanceCase<TransportBench>[] = [
  {
    name: 'says that a peer is up, on both ends, when the first message has passed',
    async body(bench) {
      const [a, b] = [await bench.started('a'), await bench.started('b')]
      await bench.connect(a, b)
      await bench.until(
        () => a.statusesOf('b')[0] === 'up' && b.statusesOf('a')[0] === 'up',
        'both are told that the other is up',
        () => a.sendTo(b, control(1)),
      )
      expectEqual(a.statusesOf('b'), ['up'], 'what a was told of b')
      expectEqual(b.statusesOf('a'), ['up'], 'what b was told of a')
    },
  },
  {
    name: 'answers without an address on the connection by which the peer spoke',
    async body(bench) {
      const [a, b] = [await bench.started('a'), await bench.started('b')]
      b.onReceive = (from, message) => {
        if (message.type !== 'readIndexRequest') return
        b.transport.send({ id: from }, { ...message, type: 'readIndexResponse', readIndex: 5 })
      }
      await bench.until(
        () => a.received.some(({ from, message }) => from === 'b' && message.type === 'readIndexResponse'),
        'the answer arrives',
        () => a.sendTo(b, control(1)),
      )
    },
  },
  {
    name: 'answers a peer that spoke on the bulk lane only',
    async body(bench) {
      const [a, b] = [await bench.started('a'), await bench.started('b')]
      b.onReceive = (from) => b.transport.send({ id: from }, control(2))
      await bench.until(
        () => a.numbersFrom('b').includes(2),
        'the answer arrives',
        () => a.sendTo(b, bulk(1, 10)),
      )
    },
  },
  {
    name: 'neither throws nor blocks for a peer that is unknown, dead or has no address',
    async body(bench) {
      const [a, b] = await bench.pair()
      const dead = await bench.started('dead')
      await dead.transport.stop()
      for (let number = 0; number < 100; number += 1) {
        a.sendTo(dead, control(number))
        a.sendTo(dead, bulk(number, 1000))
        a.transport.send({ id: 'nobody' }, control(number))
        a.transport.send({ id: 'nobody', address: 'this is no address' }, control(number))
      }
      await bench.settle(a, b)
    },
  },
  {
    name: 'tells who lost a peer that stopped: reset, once (F3)',
    async body(bench) {
      const [a, b] = await bench.pair()
      await bench.until(() => a.statusesOf('b').length > 0, 'a is told of b')
      await b.transport.stop()
      await bench.until(() => a.statusesOf('b').at(-1) === 'reset', 'a is told that b has ended the connection')
      expectEqual(a.statusesOf('b'), ['up', 'reset'], 'what a was told of b')
    },
  },
  {
    name: 'finds a peer again that has stopped and started, and reads the hello anew',
    async body(bench) {
      const [a, b] = await bench.pair()
      await b.transport.stop()
      await bench.until(() => a.statusesOf('b').at(-1) === 'reset', 'a is told that b has ended the connection')
      a.bootCount = 2
      const next = await bench.started('b')
      await bench.settle(a, next)
      await bench.until(() => a.statusesOf('b').at(-1) === 'up', 'a is told that b is up')
      expectThat(next.bootsSeen.length > 0, 'the next run of b was not shown a hello')
      expectThat(
        next.bootsSeen.every((bootCount) => bootCount === 2),
        'a showed an old hello',
      )
    },
  },
  {
    name: 'delivers nothing from a peer whose hello was refused',
    async body(bench) {
      const [a, b] = [await bench.started('a'), await bench.started('b')]
      b.isRefusing = true
      await bench.until(
        () => b.refusals > 0,
        'b has refused a',
        () => a.sendTo(b, control(1)),
      )
      const c = await bench.started('c')
      await bench.settle(c, a)
      expectEqual([...b.received, ...b.statuses], [], 'what b was told')
      expectEqual(a.statusesOf('b'), [], 'what a was told of b')
      b.isRefusing = false
      await bench.connect(a, b)
    },
  },
  {
    name: 'delivers nothing to a peer whose hello was refused',
    async body(bench) {
      const [a, b] = [await bench.started('a'), await bench.started('b')]
      a.isRefusing = true
      await bench.until(
        () => a.refusals > 0,
        'a has refused b',
        () => a.sendTo(b, control(1)),
      )
      const c = await bench.started('c')
      await bench.settle(c, b)
      expectEqual(b.numbersFrom('a'), [], 'what b received')
      a.isRefusing = false
      await bench.connect(a, b)
    },
  },
  {
    name: 'delivers no message before both have accepted the hello of the other',
    async body(bench) {
      const [a, b] = [await bench.started('a'), await bench.started('b')]
      let wasEarly = false
      b.onReceive = () => {
        wasEarly ||= a.bootsSeen.length === 0 || b.bootsSeen.length === 0
      }
      await bench.connect(a, b)
      expectThat(!wasEarly, 'a message came before the hellos')
    },
  },
  {
    name: 'ignores what is sent before start and after stop',
    async body(bench) {
      const a = await bench.node('a')
      const b = await bench.started('b')
      a.sendTo(b, control(1))
      await a.transport.start(a)
      await bench.settle(a, b)
      expectThat(!b.numbersFrom('a').includes(1), 'what was sent before start was delivered')
      await a.transport.stop()
      a.sendTo(b, control(2))
      const c = await bench.started('c')
      await bench.settle(c, b)
      expectThat(!b.numbersFrom('a').includes(2), 'what was sent after stop was delivered')
    },
  },
  {
    name: 'stops more than once, without having been started, and is silent afterwards',
    async body(bench) {
      const [a, b] = await bench.pair()
      await Promise.all([a.transport.stop(), a.transport.stop()])
      await a.transport.stop()
      const told = a.received.length + a.statuses.length
      for (let number = 0; number < 10; number += 1) b.sendTo(a, control(number))
      const c = await bench.started('c')
      await bench.settle(c, b)
      expectEqual(a.received.length + a.statuses.length, told, 'how often a was told something')
      const unused = await bench.node('unused')
      await unused.transport.stop()
    },
  },
]
