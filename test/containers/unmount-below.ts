import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Takes away every mount at or below a directory, the innermost first. Linux only. */
export function unmountBelow(directory: string): void {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').trimEnd().split('\n')
  const points = mounts.map((line) => decode(line.split(' ')[4] ?? ''))
  const inside = points.filter((point) => point === directory || point.startsWith(`${directory}/`))
  for (const point of inside.sort((a, b) => b.length - a.length)) execFileSync('umount', ['--lazy', point])
}

/** The kernel writes a space as `\040`. */
function decode(point: string): string {
  return point.replace(/\\(\d{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)))
}
