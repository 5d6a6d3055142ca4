import { provesOutages } from '../proofs/outages.ts';
import { restoreSubject } from '../restore/subject.ts';

provesOutages(restoreSubject);
