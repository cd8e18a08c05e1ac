// A logger for programs that have none: one line of text per event, on the console of the platform.
import type { Logger } from '../interfaces/logger.js'
import { systemClock } from './system-clock.js'

const LEVELS = ['debug', 'info', 'warn', 'error'] as const

/** Lines like `2026/01/15 10:00:00 [INFO] raft: message key=value`, in UTC; warnings and errors go to stderr. */
export function consoleLogger(level: 'debug' | 'info' | 'warn' | 'error' = 'info'): Logger {
  const lowest = LEVELS.indexOf(level)
  const writer = (at: (typeof LEVELS)[number]) => (fields: object, message: string) => {
    if (LEVELS.indexOf(at) < lowest) return
    const time = new Date(systemClock.wallTime()).toISOString().slice(0, 19).replaceAll('-', '/').replace('T', ' ')
    const line = `${time} [${at.toUpperCase()}] raft: ${escapeText(message)}${fieldsText(fields)}`
    if (at === 'warn' || at === 'error') console.error(line)
    else console.log(line)
  }
  return { debug: writer('debug'), info: writer('info'), warn: writer('warn'), error: writer('error') }
}

function fieldsText(fields: object): string {
  let text = ''
  for (const [key, value] of Object.entries(fields)) {
    const shown = escapeText(typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value))
    text += ` ${key}=${/[\s"=]/.test(shown) ? JSON.stringify(shown) : shown}`
  }
  return text
}

/** A peer chooses part of the text: it must not begin a line of its own or speak to the terminal. */
function escapeText(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
  })
}
