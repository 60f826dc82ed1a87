import { assertTuple } from './python/assert-tuple.ts'
import { bareExcept } from './python/bare-except.ts'
import { blockingSleepInAsync } from './python/blocking-sleep-in-async.ts'
import { evalOfExpression as pythonEvalOfExpression } from './python/eval-of-expression.ts'
import { isLiteral } from './python/is-literal.ts'
import { lateBindingLambda } from './python/late-binding-lambda.ts'
import { mutableDefault } from './python/mutable-default.ts'
import { naiveUtcTimestamp } from './python/naive-utc-timestamp.ts'
import { returnInFinally as pythonReturnInFinally } from './python/return-in-finally.ts'
import { shellInjection as pythonShellInjection } from './python/shell-injection.ts'
import { sqlInjection as pythonSqlInjection } from './python/sql-injection.ts'
import { swallowedException } from './python/swallowed-exception.ts'
import { tlsVerificationOff as pythonTlsVerificationOff } from './python/tls-verification-off.ts'
import { unpickledRequest } from './python/unpickled-request.ts'
import { unsafeYamlLoad } from './python/unsafe-yaml-load.ts'
import type { Rule } from './rule.ts'
import { asyncForeach } from './typescript/async-foreach.ts'
import { asyncInterval } from './typescript/async-interval.ts'
import { asyncPredicate } from './typescript/async-predicate.ts'
import { asyncPromiseExecutor } from './typescript/async-promise-executor.ts'
import { awaitedArray } from './typescript/awaited-array.ts'
import { emptyCatch } from './typescript/empty-catch.ts'
import { evalOfExpression as typescriptEvalOfExpression } from './typescript/eval-of-expression.ts'
import { nanComparison } from './typescript/nan-comparison.ts'
import { numericSort } from './typescript/numeric-sort.ts'
import { parseIntInMap } from './typescript/parse-int-in-map.ts'
import { randomSecret } from './typescript/random-secret.ts'
import { regexpFromRequest } from './typescript/regexp-from-request.ts'
import { returnInFinally as typescriptReturnInFinally } from './typescript/return-in-finally.ts'
import { shellInjection as typescriptShellInjection } from './typescript/shell-injection.ts'
import { sqlInjection as typescriptSqlInjection } from './typescript/sql-injection.ts'
import { timingUnsafeComparison } from './typescript/timing-unsafe-comparison.ts'
import { tlsVerificationOff as typescriptTlsVerificationOff } from './typescript/tls-verification-off.ts'

/** Every rule there is. */
export const RULES: readonly Rule[] = [
  assertTuple,
  bareExcept,
  blockingSleepInAsync,
  pythonEvalOfExpression,
  isLiteral,
  lateBindingLambda,
  mutableDefault,
  naiveUtcTimestamp,
  pythonReturnInFinally,
  pythonShellInjection,
  pythonSqlInjection,
  swallowedException,
  pythonTlsVerificationOff,
  unpickledRequest,
  unsafeYamlLoad,
  asyncForeach,
  asyncInterval,
  asyncPredicate,
  asyncPromiseExecutor,
  awaitedArray,
  emptyCatch,
  typescriptEvalOfExpression,
  nanComparison,
  numericSort,
  parseIntInMap,
  randomSecret,
  regexpFromRequest,
  typescriptReturnInFinally,
  typescriptShellInjection,
  typescriptSqlInjection,
  timingUnsafeComparison,
  typescriptTlsVerificationOff,
]
