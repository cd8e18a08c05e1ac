// Seeded bugs of the driver around the core: calls, the log writer, the applier, storage.
import type { BugTable } from './seeded-bug.js'

export const DRIVER_BUGS: BugTable = {}
