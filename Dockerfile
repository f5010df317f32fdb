# One image for the web application and the API:
#   docker build -t nestjs-zitadel .
#   docker run … nestjs-zitadel                        the web application
#   docker run … nestjs-zitadel node dist/api/main.js  the API

# The tag follows security fixes of Node and Debian. For a build that repeats byte for byte, pin the digest
# that `docker buildx imagetools inspect node:24-bookworm-slim` shows: node:24-bookworm-slim@sha256:…
FROM node:24-bookworm-slim AS base
WORKDIR /app

FROM base AS build
COPY package.json package-lock.json .npmrc ./
COPY packages/nestjs-auth/package.json packages/nestjs-auth/
COPY packages/nestjs-program/package.json packages/nestjs-program/
COPY packages/nestjs-zitadel/package.json packages/nestjs-zitadel/
COPY packages/zitadel-sandbox/package.json packages/zitadel-sandbox/
COPY packages/zitadel-setup/package.json packages/zitadel-setup/
# The cache mount keeps downloads out of every layer.
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.base.json tailwind.config.js ./
COPY scripts scripts
COPY packages packages
COPY src src
COPY views views
COPY public public
RUN npm run build

# `dist` contains the packages that the programs use.
FROM base
ENV NODE_ENV=production
COPY --from=build /app/package.json ./
COPY --from=build /app/dist dist
COPY --from=build /app/views views
COPY --from=build /app/public public

# `node` of the base image, by number: Kubernetes can check only a number against runAsNonRoot.
# The files above belong to root, and the programs write none: a read-only root file system is fine, without a tmpfs.
USER 1000:1000
EXPOSE 3000 3001

# The slim image has no curl. Whoever runs the API checks APP_PORT instead, as compose.yaml does.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 3000}/health/live`, { signal: AbortSignal.timeout(2000) }).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]

# No init process: the programs handle SIGTERM themselves, which the kernel would not do for PID 1, and start no children.
STOPSIGNAL SIGTERM
CMD ["node", "dist/main.js"]
