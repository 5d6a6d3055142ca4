import { rehearsalSubject } from '../rehearsal/subject.ts';
import { provesOutages } from '../proofs/outages.ts';

provesOutages(rehearsalSubject);
