// The words of golden scripts: how a message, an Output and a node are told in one line each. Only what a reader of the
// paper asks for; times and clocks are left out, so that scripts don't change with them.
import type { Message, Output } from 'helios-raft/core'
import type { Packet } from './core-cluster.js'
import { type SimulatedNode, text } from './core-node.js'

/** `name=value` words as a record. */
export function options(words: readonly string[]): Readonly<Record<string, string>> {
  const pairs = words.filter((word) => word.includes('=')).map((word) => word.split('=') as [string, string])
  return Object.fromEntries(pairs)
}

export function describePacket({ from, to, message }: Packet): string {
  return `${from}->${to} ${describeMessage(message)}`
}

function describeMessage(message: Message): string {
  const term = `${message.type} term=${message.term}`
  switch (message.type) {
    case 'preVote':
      return `${term} round=${message.round} last=${message.lastLogIndex}/${message.lastLogTerm}`
    case 'requestVote':
      return `${term} last=${message.lastLogIndex}/${message.lastLogTerm}${message.leadershipTransfer ? ' transfer' : ''}`
    case 'timeoutNow':
      return term
    case 'preVoteResponse':
    case 'requestVoteResponse':
      return `${term} ${message.voteGranted ? 'granted' : 'refused'}`
    case 'appendEntries': {
      const entries = message.entries.map(({ index, term: of, type, data }) => `${index}/${of}${word(type, data)}`)
      const place = `prev=${message.prevLogIndex}/${message.prevLogTerm} commit=${message.leaderCommit}`
      return `${term} ${place} entries=[${entries.join(' ')}]`
    }
    case 'appendEntriesResponse': {
      const hint = message.outcome === 'mismatch' ? ` hint=${message.hintIndex}/${message.hintTerm}` : ''
      return `${term} ${message.outcome} index=${message.index}${hint}`
    }
    case 'heartbeat':
      return `${term} prev=${message.prevLogIndex}/${message.prevLogTerm} commit=${message.leaderCommit} round=${message.round}`
    case 'heartbeatResponse':
      return `${term} index=${message.index} round=${message.round}`
    case 'installSnapshot': {
      const { lastIncludedIndex, lastIncludedTerm } = message.meta
      return `${term} snapshot=${lastIncludedIndex}/${lastIncludedTerm} transfer=${message.transfer}`
    }
    case 'installSnapshotResponse':
      return `${term} transfer=${message.transfer} ${message.outcome} index=${message.index}`
    case 'proposeRequest':
      return `${term} number=${message.number} ${message.commands.map(text).join(' ')}`
    case 'proposeResponse':
      return `${term} number=${message.number} ${message.refusal ?? `at ${message.firstIndex}/${message.entryTerm}`}`
    case 'replicasRequest':
      return `${term} number=${message.number} index=${message.index}`
    case 'replicasResponse':
      return `${term} number=${message.number} count=${message.count}`
    case 'readIndexRequest':
      return `${term} number=${message.number}`
    case 'readIndexResponse':
      return `${term} number=${message.number} readIndex=${message.readIndex}`
    case 'membershipRequest': {
      const { number, change } = message
      const asked = change === null ? 'cancel' : `${change.type} ${change.members.map(({ id }) => id).join(' ')}`
      return `${term} number=${number} ${asked}`
    }
    case 'membershipResponse':
      return `${term} number=${message.number} ${message.outcome} index=${message.index}`
  }
}

/** What a node does, below the message or command that made it do so. */
export function describeOutput(node: SimulatedNode, output: Output): string[] {
  const lines = output.roles.map(({ role, term, reason }) => `becomes ${role} in term ${term}: ${reason}`)
  if (output.leader !== undefined) lines.push(`leader of term ${output.leader.term}: ${output.leader.id ?? 'none'}`)
  const { hardState, append, commitIndex } = output
  if (hardState !== undefined) lines.push(`writes term ${hardState.currentTerm}, vote ${hardState.votedFor ?? 'none'}`)
  if (append !== undefined) {
    const entries = append.entries.map(({ index, term, type, data }) => `${index}/${term}${word(type, data)}`)
    lines.push(`writes entries ${entries.join(' ')}`)
  }
  if (commitIndex !== undefined) lines.push(`commits up to ${commitIndex}`)
  if (output.compactTo !== undefined) lines.push(`compacts its log up to ${output.compactTo}`)
  for (const { to, transfer } of output.sendSnapshots) lines.push(`sends its snapshot to ${to}, transfer ${transfer}`)
  if (output.snapshotDecision !== undefined) lines.push(`decides about the snapshot: ${output.snapshotDecision}`)
  if (output.installed !== undefined) lines.push(`has the snapshot of ${output.installed.lastIncludedIndex} installed`)
  for (const read of output.reads) {
    lines.push(read.type === 'ready' ? `read ${read.id} is ready at ${read.readIndex}` : `read ${read.id} asks again`)
  }
  for (const result of output.results) {
    if (result.type === 'appended') lines.push(`proposal ${result.id} is at ${result.firstIndex}/${result.term}`)
    else if (result.type === 'forwarded') lines.push(`proposal ${result.id} is forwarded as number ${result.number}`)
    else if (result.type === 'transferring') lines.push(`proposal ${result.id} waits for the transfer`)
    else if (result.type === 'noLeader') lines.push(`proposal ${result.id} finds no leader`)
    else if (result.type === 'accepted') lines.push(`number ${result.number} is at ${result.firstIndex}/${result.term}`)
    else lines.push(`number ${result.number} is refused: ${result.refusal}`)
  }
  for (const transfer of output.transfers) {
    const what = transfer.type === 'begun' ? `to ${transfer.to} begins` : `${transfer.type}: ${transfer.reason}`
    lines.push(`transfer ${transfer.id} ${what}`)
  }
  return lines.map((line) => `  ${node.id} ${line}`)
}

export function describeState(node: SimulatedNode): string {
  const { role, currentTerm, votedFor, leaderId, commitIndex, lastApplied, log } = node.state
  const who = `term=${currentTerm} vote=${votedFor ?? 'none'} leader=${leaderId ?? 'none'}`
  return `${node.id}: ${role} ${who} last=${log.lastIndex} commit=${commitIndex} applied=${lastApplied}`
}

function word(type: string, data: Uint8Array): string {
  return type === 'noop' ? ':noop' : `:${text(data)}`
}
