import { copyAbroadCalls, copyAbroadSubject } from '../../harness/copy-abroad/subject.ts';
import { prove } from '../../harness/prove.ts';
import { provesCalls } from '../../harness/proofs/calls.ts';

provesCalls(prove(copyAbroadSubject, 'some'), copyAbroadCalls);
