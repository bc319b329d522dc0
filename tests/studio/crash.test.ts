import { studioCrashes } from '../contracts/studio-crashes.js';

studioCrashes([1, 2, 3, 4, 5, 6, 7, 8], async () => ({}));
