#!/usr/bin/env node
import '../dist/cluster.js'
