// Bundles what is published: Node refuses TypeScript below node_modules. Our own code becomes JavaScript in
// dist/; libraries stay dependencies, so that npm brings the right native binaries.
import { chmodSync, cpSync, rmSync } from 'node:fs'
import { build } from 'esbuild'

rmSync('dist', { recursive: true, force: true })
await build({
  entryPoints: {
    kodus: 'src/cli/main.ts',
    main: 'src/main.ts',
    'custom-matcher': 'src/review/rules/custom-matcher.ts',
  },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.18',
  packages: 'external',
  // Every file directly in dist/, so that a module finds its neighbours there wherever esbuild puts it.
  chunkNames: '[name]-[hash]',
  logLevel: 'warning',
})
chmodSync('dist/kodus.js', 0o755)
cpSync('src/store/migrations', 'dist/migrations', { recursive: true })
cpSync('examples/sample-pr', 'dist/examples/sample-pr', { recursive: true })
