import type { TRPCError } from '@trpc/server';
import { describeError, type Log, type LogFields } from './log.ts';

/** A call of a procedure that has ended. */
export interface EndedCall {
  procedure: string;
  /** Its place in the batch; 0 for a call alone. */
  batchIndex: number;
  /** `OK`, a reason of errors.ts, or one of an owner's. */
  reason: string;
  httpStatus: number;
  durationMs: number;
  /** What the log may know of a failure. */
  detail?: LogFields;
}

/** What is told of every call once its answer is written. */
export interface CallObserver {
  observe(call: EndedCall): void;
}

/** What became known of the calls when their answers were put together. */
interface Settlement {
  /** By place in the batch: the errors of single calls. */
  errors?: readonly (TRPCError | undefined)[];
  /** Why the answer as a whole could not be written. */
  failure?: TRPCError;
}

/** The calls of one request, told to the log and the metrics at its end: until its answer is written each may still fail. */
export interface CallRecord extends CallObserver {
  settle(settlement: Settlement): void;
  end(): void;
}

interface CallRecordOptions {
  requestId: string;
  log: Log;
  metrics: CallObserver | null;
}

export function createCallRecord({ requestId, log, metrics }: CallRecordOptions): CallRecord {
  const ended: EndedCall[] = [];
  let errors: NonNullable<Settlement['errors']> = [];
  let failure: TRPCError | undefined;

  return {
    observe: (call) => void ended.push(call),
    settle(settlement) {
      errors = settlement.errors ?? errors;
      failure = settlement.failure ?? failure;
    },
    end() {
      for (const call of ended.splice(0)) {
        const error = call.reason === 'OK' ? (errors[call.batchIndex] ?? failure) : undefined;
        if (error) log.unexpected?.(error.cause ?? error);
        const final = error
          ? { ...call, reason: 'INTERNAL', httpStatus: 500, detail: describeError(error.cause ?? error) }
          : call;
        const { procedure, reason, detail } = final;
        metrics?.observe(final);
        const fields = { requestId, procedure, durationMs: Math.round(final.durationMs), reason, ...detail };
        log[levelOf(final)](fields, 'call');
      }
    },
  };
}

/** guoke's own faults are errors, those of WeChat and the database warnings, those of the caller information. */
function levelOf({ reason, httpStatus }: EndedCall): 'error' | 'warn' | 'info' {
  if (reason === 'INTERNAL' || reason === 'WECHAT_REJECTED') return 'error';
  return httpStatus >= 500 || reason === 'WECHAT_RATE_LIMITED' ? 'warn' : 'info';
}
