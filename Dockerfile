# syntax=docker/dockerfile:1
# One image for every role: docker run surefill --role api | worker | watcher. Debian, because Temporal's core needs glibc.
ARG NODE_IMAGE=node:22-bookworm-slim

# Everything, to build with.
FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY .swcrc tsconfig.json ./
COPY temporal temporal
COPY scripts scripts
COPY src src
RUN node scripts/build.js

# What the program needs when it runs, and nothing else.
FROM ${NODE_IMAGE} AS production-dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --omit=dev

FROM ${NODE_IMAGE}
# HOST, SUREFILL_PLAIN_HTTP: the network of the container is its own; what is published, and TLS, is decided where it is run.
# HEALTH_URL: the API's; a worker or watcher sets its metrics address.
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    SUREFILL_PLAIN_HTTP=anywhere \
    PORT=3000 \
    SUREFILL_HOME=/data \
    HEALTH_URL=http://127.0.0.1:3000/healthz
WORKDIR /app
COPY --from=production-dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json package.json
# The migrations that a role applies when it starts, under a lock.
COPY prisma/migrations prisma/migrations
# What a role registers at a Temporal server that lacks it.
COPY temporal/search-attributes.json temporal/search-attributes.json
# The program's files belong to root and cannot be changed by it; its data folder is its own.
RUN mkdir -p /data/paper && chown -R node:node /data
USER node
EXPOSE 3000
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(process.env.HEALTH_URL).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# As the launcher runs a role (NODE_ARGUMENTS of src/main/launcher/role-plan.ts).
ENTRYPOINT ["node", "--enable-source-maps", "--max-semi-space-size=64", "dist/main/index.js"]
CMD ["--role", "api"]
