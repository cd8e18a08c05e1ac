import type { LogEntry, LogWrite } from 'helios-raft'

export interface SequenceLog {
  readonly baseIndex: number
  readonly entries: readonly LogEntry[]
}
export function writeOf(number: number, log: SequenceLog): LogWrite
export function entryOf(index: number, term: number): LogEntry
export function compactionAfter(number: number, log: SequenceLog): number | null
export function after(number: number, log: SequenceLog): SequenceLog
