// `npm run bench -- NAME` arrives here; the programs are compiled from benchmarks/src by `tsc -b`.
import './dist/main.js'
