import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * Where the product's own files are: in a checkout, or, bundled, in an installed package. In a checkout
 * this module is `src/cli/installation.ts`; in a package it is part of a file directly in `dist/`.
 */
const bundled = !import.meta.url.endsWith('.ts')
const root = new URL(bundled ? '../' : '../../', import.meta.url)

const pathTo = (inCheckout: string, inPackage: string) =>
  fileURLToPath(new URL(bundled ? inPackage : inCheckout, root))

/** The script that runs a component, chosen by COMPONENT_TYPE. */
export const componentScript = pathTo('src/main.ts', 'dist/main.js')

/** The two trees and the description of the sample pull request. */
export const samplePullRequest = pathTo('examples/sample-pr/', 'dist/examples/sample-pr/')

/** The directory that holds package.json: in a checkout, where `.kodus/` belongs. */
export const installationDirectory = fileURLToPath(root)

export const runsFromCheckout = !bundled && existsSync(new URL('package.json', root))

export const version: string = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')).version
