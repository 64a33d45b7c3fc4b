# syntax=docker/dockerfile:1
# The image of kube-await: a bundle of JavaScript on distroless Node. `docker build .` needs nothing but Docker.
#   docker buildx build --platform linux/amd64,linux/arm64 -t IMAGE .

ARG BUILD_IMAGE=node:26-trixie-slim
# No shell, no package manager, user 65532. Its Node is /nodejs/bin/node, and there is no /usr/bin/env.
ARG BASE_IMAGE=gcr.io/distroless/nodejs26-debian13:nonroot

# The bundle is the same for every platform, so it is made once, on the builder's own.
FROM --platform=$BUILDPLATFORM ${BUILD_IMAGE} AS build
WORKDIR /src
# By themselves, so that a change of the sources does not install anew. No package needs its install script here.
COPY package.json package-lock.json .npmrc tsconfig.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY scripts/build.ts scripts/pack.ts scripts/compile-cache.cjs scripts/
COPY src src
# The flag lets a start do with no collection of garbage, where Node's own setting takes two.
RUN node scripts/build.ts --interpreter "/nodejs/bin/node --min-semi-space-size=4"
# Laid out here, links included, because nothing can run in the last stage.
COPY LICENSE /out/opt/kube-await/
RUN cp -r dist/. /out/opt/kube-await/ && mkdir -p /out/usr/local/bin && \
    ln -s /opt/kube-await/kube-await.cjs /out/usr/local/bin/kube-await && \
    ln -s /opt/kube-await/kube-await.cjs /out/usr/local/bin/wait_for.sh

# V8's compiled code beside the files: of the Node that will run them, since no other takes it. Made on the builder's
# platform only, so that no emulator is needed; an image for another platform compiles at each start.
FROM --platform=$BUILDPLATFORM ${BASE_IMAGE} AS compile
COPY --from=build /out/ /out/
COPY --from=build /src/scripts/compile-cache.cjs /tmp/
# The folder is root's, in the image as well.
USER 0
RUN ["/nodejs/bin/node", "--min-semi-space-size=4", "/tmp/compile-cache.cjs", "/out/opt/kube-await"]

FROM ${BASE_IMAGE}
# A test holds the version to that of package.json.
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="kube-await" \
      org.opencontainers.image.description="Block until Kubernetes Jobs, pods and other objects are done, and fail when they failed" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/kube-await/kube-await" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=compile /out/ /
# By number, so that kubelet can tell that it is not root.
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/kube-await"]
CMD []
