# The encoder app: Microsoft's Functions host and worker, ffmpeg, and the packages that migrations need. `azd` builds it
# in the registry, so the machine that deploys needs no Docker.
#
# The base image is Debian 12, whose ffmpeg 5.1 starts sound one AAC frame late. So ffmpeg is taken from Debian 13, with
# every library that it links, including the C library and its loader (docs/decisions/0016-ffmpeg-of-debian-13.md).
# Both images come from Microsoft's registry, because Docker Hub limits anonymous pulls per address, and a registry
# build shares its address with many other builds.
ARG BASE=mcr.microsoft.com/azure-functions/python:4-python3.13
ARG DEBIAN=mcr.microsoft.com/devcontainers/base:trixie
# To make a build reproducible, pin both images by digest: --build-arg BASE=…@sha256:… --build-arg DEBIAN=…@sha256:…

# hadolint ignore=DL3006
FROM ${DEBIAN} AS media
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ffmpeg \
    && rm -rf /var/lib/apt/lists/*
RUN mkdir --parents /opt/ffmpeg/bin /opt/ffmpeg/lib \
    && ldd /usr/bin/ffmpeg /usr/bin/ffprobe | grep --only-matching '/lib[^ )]*' | sort --unique \
        | xargs cp --dereference --target-directory /opt/ffmpeg/lib \
    && for program in ffmpeg ffprobe; do \
        cp "/usr/bin/$program" "/opt/ffmpeg/lib/$program" \
        && printf '#!/bin/sh\nexec %s/ld-linux-x86-64.so.2 --library-path %s %s/%s "$@"\n' \
            /opt/ffmpeg/lib /opt/ffmpeg/lib /opt/ffmpeg/lib "$program" > "/opt/ffmpeg/bin/$program" \
        && chmod 755 "/opt/ffmpeg/bin/$program" || exit 1; \
    done

# hadolint ignore=DL3006
FROM ${BASE}
SHELL ["/bin/bash", "-o", "pipefail", "-c"]

COPY --from=media /opt/ffmpeg /opt/ffmpeg
RUN ln --symbolic /opt/ffmpeg/bin/ffmpeg /opt/ffmpeg/bin/ffprobe /usr/local/bin/ \
    && ffmpeg -hide_banner -encoders | grep --count libx264

ENV AzureWebJobsScriptRoot=/home/site/wwwroot \
    AzureFunctionsJobHost__Logging__Console__IsEnabled=true \
    PYTHON_SCRIPT_FILE_NAME=encoder_app.py \
    PYTHONDONTWRITEBYTECODE=1 \
    WORK_DIR=/tmp

COPY requirements.txt /tmp/requirements.txt
RUN python -m pip install --no-cache-dir --require-hashes --requirement /tmp/requirements.txt && rm /tmp/requirements.txt

# Automatic captions need half a gigabyte of packages, so the image has them only if the setting is on when it is built.
ARG NOTFLIX_SETTINGS=""
COPY infra/captions/requirements.txt /tmp/captions.txt
RUN case ",$NOTFLIX_SETTINGS," in \
        *,AUTOMATIC_CAPTIONS=marked,* | *,AUTOMATIC_CAPTIONS=assumed,*) \
            python -m venv --without-pip /opt/captions \
            && python -m pip --python /opt/captions/bin/python install --no-cache-dir --require-hashes \
                --requirement /tmp/captions.txt ;; \
    esac \
    && rm /tmp/captions.txt
ENV CAPTIONS_PYTHON=/opt/captions/bin/python

COPY encoder_app.py /home/site/wwwroot/
# one message of each queue at a time, because a chunk uses the whole instance
COPY infra/encoder/host.json /home/site/wwwroot/
COPY functions /home/site/wwwroot/functions
COPY sql /home/site/wwwroot/sql
COPY infra/__init__.py /home/site/wwwroot/infra/
COPY infra/migrations /home/site/wwwroot/infra/migrations

WORKDIR /home/site/wwwroot
RUN useradd --system --no-create-home --uid 10001 notflix \
    && install --directory --owner=notflix /home/LogFiles /home/data
USER 10001
ENV ASPNETCORE_URLS=http://+:8080
EXPOSE 8080
