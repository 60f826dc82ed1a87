// Writes schema/kodus-config.schema.json from the definitions that kodus-config.yml is read by.
import { writeFileSync } from 'node:fs'
import { configJsonSchema } from '../src/review/config/json-schema.ts'

const file = new URL('../schema/kodus-config.schema.json', import.meta.url)
writeFileSync(file, `${JSON.stringify(configJsonSchema(), undefined, 2)}\n`)
