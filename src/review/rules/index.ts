import { cleanupSkippedByExit } from './go/cleanup-skipped-by-exit.ts'
import { deferBeforeErrorCheck } from './go/defer-before-error-check.ts'
import { deferInLoop } from './go/defer-in-loop.ts'
import { emptyErrorBranch } from './go/empty-error-branch.ts'
import { fatalInGoroutine } from './go/fatal-in-goroutine.ts'
import { handlerGoesOnAfterError } from './go/handler-goes-on-after-error.ts'
import { randomSecret as goRandomSecret } from './go/random-secret.ts'
import { returnWhileLocked } from './go/return-while-locked.ts'
import { shellInjection as goShellInjection } from './go/shell-injection.ts'
import { sqlInjection as goSqlInjection } from './go/sql-injection.ts'
import { tlsVerificationOff as goTlsVerificationOff } from './go/tls-verification-off.ts'
import { uncheckedRowsError } from './go/unchecked-rows-error.ts'
import { unclosedResponse } from './go/unclosed-response.ts'
import { waitgroupAddInGoroutine } from './go/waitgroup-add-in-goroutine.ts'
import { zipSlip } from './go/zip-slip.ts'
import { commandInjection } from './java/command-injection.ts'
import { decimalOfDouble } from './java/decimal-of-double.ts'
import { deserializedRequest } from './java/deserialized-request.ts'
import { doubleCheckedLocking } from './java/double-checked-locking.ts'
import { equalsWithoutHashcode } from './java/equals-without-hashcode.ts'
import { ignoredString } from './java/ignored-string.ts'
import { lostInterrupt } from './java/lost-interrupt.ts'
import { negativeRemainder } from './java/negative-remainder.ts'
import { partialRead } from './java/partial-read.ts'
import { randomSecret as javaRandomSecret } from './java/random-secret.ts'
import { returnInFinally as javaReturnInFinally } from './java/return-in-finally.ts'
import { sharedDateFormat } from './java/shared-date-format.ts'
import { sqlInjection as javaSqlInjection } from './java/sql-injection.ts'
import { stringIdentity } from './java/string-identity.ts'
import { swallowedException as javaSwallowedException } from './java/swallowed-exception.ts'
import { threadRun } from './java/thread-run.ts'
import { tlsVerificationOff as javaTlsVerificationOff } from './java/tls-verification-off.ts'
import { truncatedComparison } from './java/truncated-comparison.ts'
import { unlockOutsideFinally } from './java/unlock-outside-finally.ts'
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
import { swallowedException as pythonSwallowedException } from './python/swallowed-exception.ts'
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
import { randomSecret as typescriptRandomSecret } from './typescript/random-secret.ts'
import { regexpFromRequest } from './typescript/regexp-from-request.ts'
import { returnInFinally as typescriptReturnInFinally } from './typescript/return-in-finally.ts'
import { shellInjection as typescriptShellInjection } from './typescript/shell-injection.ts'
import { sqlInjection as typescriptSqlInjection } from './typescript/sql-injection.ts'
import { timingUnsafeComparison } from './typescript/timing-unsafe-comparison.ts'
import { tlsVerificationOff as typescriptTlsVerificationOff } from './typescript/tls-verification-off.ts'

/** Every rule there is. */
export const RULES: readonly Rule[] = [
  cleanupSkippedByExit,
  deferBeforeErrorCheck,
  deferInLoop,
  emptyErrorBranch,
  fatalInGoroutine,
  handlerGoesOnAfterError,
  goRandomSecret,
  returnWhileLocked,
  goShellInjection,
  goSqlInjection,
  goTlsVerificationOff,
  uncheckedRowsError,
  unclosedResponse,
  waitgroupAddInGoroutine,
  zipSlip,
  commandInjection,
  decimalOfDouble,
  deserializedRequest,
  doubleCheckedLocking,
  equalsWithoutHashcode,
  ignoredString,
  lostInterrupt,
  negativeRemainder,
  partialRead,
  javaRandomSecret,
  javaReturnInFinally,
  sharedDateFormat,
  javaSqlInjection,
  stringIdentity,
  javaSwallowedException,
  threadRun,
  javaTlsVerificationOff,
  truncatedComparison,
  unlockOutsideFinally,
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
  pythonSwallowedException,
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
  typescriptRandomSecret,
  regexpFromRequest,
  typescriptReturnInFinally,
  typescriptShellInjection,
  typescriptSqlInjection,
  timingUnsafeComparison,
  typescriptTlsVerificationOff,
]
