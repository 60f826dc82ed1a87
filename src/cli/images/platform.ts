import { arch } from 'node:os'

/** What images are built for: Linux with glibc, on the two kinds of processor that AWS and most machines have. */
export const PLATFORMS = ['linux/amd64', 'linux/arm64'] as const

export type Platform = (typeof PLATFORMS)[number]

/** How others call the processor of a platform: Node and npm, and the folders of prebuilt parsers. */
export const PROCESSORS: Record<Platform, { node: string; prebuilds: string }> = {
  'linux/amd64': { node: 'x64', prebuilds: 'X64' },
  'linux/arm64': { node: 'arm64', prebuilds: 'ARM64' },
}

/** The platform whose containers this machine runs without emulation. */
export function platformOfThisMachine(): Platform {
  return arch() === 'arm64' ? 'linux/arm64' : 'linux/amd64'
}
