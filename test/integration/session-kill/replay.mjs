// `node replay.mjs FILE`: replays a recording by the built package, which made it, and prints what became of it as JSON.
import { createReadStream } from 'node:fs'
import { replay } from 'helios-raft/testing'

const found = { lives: 0, nodes: [], lastApplied: 0 }
const onStep = ({ node, event, status }) => {
  if (event.type === 'init') found.lives += 1
  if (!found.nodes.includes(node)) found.nodes.push(node)
  found.lastApplied = status.lastApplied
}
try {
  const result = await replay(createReadStream(process.argv[2]), { onStep })
  console.log(JSON.stringify({ ...result, ...found }))
} catch ({ code, message }) {
  console.log(JSON.stringify({ code, message }))
}
