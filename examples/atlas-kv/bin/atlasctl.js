#!/usr/bin/env node
import '../dist/atlasctl.js'
