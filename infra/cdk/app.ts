import { App } from 'aws-cdk-lib'
import { buildApp } from './build-app.ts'
import { SettingsError } from './settings/settings-error.ts'

// What `cdk` runs to get the templates.
try {
  const { settings } = buildApp(new App())
  if (settings.hosts) console.error(settings.hosts.words)
} catch (error) {
  if (!(error instanceof SettingsError)) throw error
  console.error(`${error.code}: ${error.message}\n${error.help}`)
  process.exitCode = 1
}
