// The other end of the bare round trip, in a process of its own as a peer's is.
import { serveEcho } from './anchors.js'

serveEcho()
