import { testInputs } from '../inputs/suite.ts';

// More of them: test/slow/inputs.test.ts, and `npm run test:inputs`.
testInputs(200);
