import { defineConfig } from 'prisma/config';

/** For Prisma's own command line; the program itself migrates through src/store/database/migrate.ts. */
export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
});
