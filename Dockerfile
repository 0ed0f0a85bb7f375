# One image for every command: serve unless another one is given, worker, migrate, seed, sweep, keys and those that
# talk to a server. PostgreSQL for trying out is not in it, and so demo and dev do not work here.

FROM node:24-bookworm-slim AS base
WORKDIR /app
COPY package.json package-lock.json .npmrc ./

# no scripts: `prepare` would build before the sources are there
FROM base AS build
RUN npm ci --omit=optional --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY jobs ./jobs
COPY src ./src
RUN npm run build
# whatever rights the files of the checkout have: others than root will read these
RUN chmod -R a+rX dist package.json

FROM base AS dependencies
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="longhaul" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.description="Exports time ranges of records from PostgreSQL to S3 as background jobs"
# who is outside of the container must reach it; without API keys it refuses to start so
ENV NODE_ENV=production \
    HOST=0.0.0.0
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# `node` of the base image, by numbers: Kubernetes cannot tell from a name that it is not root
USER 1000:1000
EXPOSE 8080 8081
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "/app/dist/src/cli/health-check.js"]
# no shell between: it would keep the signals to itself
ENTRYPOINT ["node", "/app/dist/src/cli/main.js"]
CMD ["serve"]
