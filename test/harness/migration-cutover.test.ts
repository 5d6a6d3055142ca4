import { cutoverSubject } from './cutover/subject.ts';
import { provesCancels } from './proofs/cancels.ts';
import { provesChoices } from './proofs/choices.ts';
import { provesFailures } from './proofs/failures.ts';
import { provesTwice } from './proofs/twice.ts';
import { proving } from './proving.ts';

// Without resets: after one to before `try-alias` that step meets the target closed by this very run, and parks.
const one = proving(cutoverSubject);
provesTwice(one);
provesFailures(one, ['begun', 'intended', 'acted', 'done']);
provesCancels(one);
provesChoices(one);
