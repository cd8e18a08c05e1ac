// `helios-raft/testing`: what the project tests itself with, for users who test what they build on it.
export type { ClusterOptions, ClusterShape, Fault, FaultKind, FaultPlan } from './fault-plan.js'
export {
  type Action,
  type AnyStateMachine,
  type CommandOf,
  type Operation,
  type ResultOf,
  SimulationFailure,
  type SimulationOptions,
  type SimulationReport,
  type WorkloadStep,
} from './report.js'
export {
  type CasInput,
  checkLinearizability,
  type CounterInput,
  type Effect,
  type KvInput,
  type KvOutput,
  type LinearizabilityFailure,
  type LinearizabilityModel,
  type LinearizabilityResult,
  type ListAppendInput,
  type LockInput,
  type LockOutput,
  models,
  type RegisterInput,
  type TtlKvInput,
} from './linearizability/index.js'
export { type FlightRecorder, flightRecorder, type FlightRecorderOptions } from './flight/flight-recorder.js'
export { simulate } from './simulate.js'
export { ManualClock, type TaskScheduler } from './manual-clock.js'
export {
  modelCheck,
  type ModelCheckFeature,
  type ModelCheckOptions,
  type ModelCheckResult,
} from './model-checker/index.js'
export { type LiveNode, SimulatedCluster, type SimulatedClusterOptions } from './simulated-cluster.js'
export { arbCluster, type ClusterConstraints } from './property/arb-cluster.js'
export { arbFaultPlan, type FaultPlanConstraints } from './property/arb-fault-plan.js'
export { arbWorkload, type WorkloadConstraints } from './property/arb-workload.js'
export { raftCommands, type RaftCommandsOptions } from './property/raft-commands.js'
export { replay, type ReplayedStep, type ReplayOptions, type ReplayResult } from './trace/replay.js'
export type { Run, StoreFactory } from './conformance.js'
export { testLogStore } from './log-store-suite.js'
export { testSnapshotStore } from './snapshot-store-suite.js'
export { type StateMachineTest, testStateMachine } from './state-machine-suite.js'
export { testTransport } from './transport-suite.js'
export type { TransportFactory } from './transport-bench.js'
