import type { Mutant } from '../mutant.ts';
import { httpMutants } from './http.ts';
import { operationsMutants } from './operations.ts';
import { proofMutants } from './proof.ts';
import { pushMutants } from './push.ts';
import { sessionMutants } from './sessions.ts';
import { storeMutants } from './store.ts';
import { userMutants } from './users.ts';
import { wechatMutants } from './wechat.ts';

/** Every mistake that a test has to notice. */
export const mutants: readonly Mutant[] = [
  ...proofMutants,
  ...sessionMutants,
  ...userMutants,
  ...pushMutants,
  ...wechatMutants,
  ...httpMutants,
  ...storeMutants,
  ...operationsMutants,
];
