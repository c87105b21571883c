/** Writes docs/events.md anew: `node -r ./scripts/typescript.js test/unit/schemas/write-events-page.ts`. After a type of event, or what it says, changed. */
import { writeFileSync } from 'node:fs';
import { EVENTS_PAGE, eventsPage } from './events-page';

writeFileSync(EVENTS_PAGE, eventsPage());
