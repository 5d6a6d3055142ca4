import { cutoverSubject } from '../cutover/subject.ts';
import { provesOutages } from '../proofs/outages.ts';

provesOutages(cutoverSubject);
