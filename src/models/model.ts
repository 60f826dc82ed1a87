/** One question to a model. */
export interface ModelRequest {
  /** What the model is and how it answers: trusted text only. */
  system: string
  /** What it is asked about; may carry untrusted text, fenced by the caller. */
  prompt: string
  /**
   * JSON Schema (draft 2020-12) of the answer. For strict endpoints every object lists all its properties as
   * required and forbids others.
   */
  schema: Readonly<Record<string, unknown>>
  /** Letters, digits, `_` and `-`, at most 64: endpoints want one. */
  schemaName: string
  signal: AbortSignal
  /** Tokens the answer may have; the endpoint's own limit where it is not given. */
  maxOutputTokens?: number
}

export interface ModelAnswer {
  /** Parsed JSON. Only some endpoints hold a model to the schema, so the caller checks the shape. */
  value: unknown
  /** As the endpoint counts them; 0 where it does not tell. */
  inputTokens: number
  outputTokens: number
}

/** A language model that answers in JSON. */
export interface Model {
  /** The model's name at its endpoint, for people to read. */
  readonly name: string
  /**
   * Asks once; repeating is the caller's business, except where the endpoint refuses a form of the request.
   *
   * @throws KodusError transient: MODEL_RATE_LIMITED (with `retryAfterMs` where the endpoint tells),
   *   MODEL_UNAVAILABLE; permanent: MODEL_UNAUTHORIZED, MODEL_UNKNOWN, MODEL_QUOTA_EXHAUSTED,
   *   MODEL_REDIRECTED, MODEL_REQUEST_REFUSED, MODEL_CONTEXT_EXCEEDED, MODEL_ANSWER_UNUSABLE
   * @throws the signal's reason when it is aborted
   */
  answer(request: ModelRequest): Promise<ModelAnswer>
}
