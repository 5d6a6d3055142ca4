import { provesOutages } from '../proofs/outages.ts';
import { copyAbroadSubject } from '../copy-abroad/subject.ts';

provesOutages(copyAbroadSubject);
