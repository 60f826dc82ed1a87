/** A file at head, as an analysis gets it. */
export interface FileToAnalyse {
  /** Relative to the repository, with `/`. */
  path: string
  text: string
  /** The numbers (1-based) of the lines that the change added or rewrote. */
  touched: ReadonlySet<number>
}
