/** A setting that cannot be followed: a stable code to search for, what is wrong, and what to do. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError'
  readonly code: string
  readonly help: string

  constructor(code: string, message: string, help: string) {
    super(message)
    this.code = code
    this.help = help
  }
}
