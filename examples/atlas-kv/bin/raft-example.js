#!/usr/bin/env node
import '../dist/raft-example.js'
