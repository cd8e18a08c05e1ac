// Three nodes on this machine: who they are, where they listen, and their flags.
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

export interface LocalNode {
  readonly id: string
  readonly resp: number
  readonly raft: number
  readonly http: number
}

const HOST = '127.0.0.1'

/** The ports of the quick start. */
export const QUICK_START: readonly LocalNode[] = [
  { id: 'node-1', resp: 6379, raft: 7000, http: 8080 },
  { id: 'node-2', resp: 6380, raft: 7001, http: 8180 },
  { id: 'node-3', resp: 6381, raft: 7002, http: 8280 },
]

/** The same three nodes on ports that are free now. */
export async function freeNodes(): Promise<readonly LocalNode[]> {
  const ports = await freePorts(3 * QUICK_START.length)
  return QUICK_START.map(({ id }, i) => ({
    id,
    resp: ports[3 * i] ?? 0,
    raft: ports[3 * i + 1] ?? 0,
    http: ports[3 * i + 2] ?? 0,
  }))
}

/** The flags of one of them. @param directory - of the cluster; each node has its own in it */
export function nodeFlags(node: LocalNode, nodes: readonly LocalNode[], directory: string): readonly string[] {
  const peers = nodes.filter(({ id }) => id !== node.id).map(({ id, raft }) => `${id}:${HOST}:${raft}`)
  return [
    `--raft-node-id=${node.id}`,
    `--listen=${HOST}:${node.resp}`,
    `--raft-addr=${HOST}:${node.raft}`,
    `--http=${HOST}:${node.http}`,
    `--raft-peers=${peers.join(',')}`,
    `--data-dir=${join(directory, node.id)}`,
  ]
}

/** All are held open at the same time, so that they differ. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.listen(0, HOST, resolve))))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
