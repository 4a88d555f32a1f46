# The encoder app: Microsoft's Functions host and worker, ffmpeg beside it, and what a migration needs. Built by `azd` in the
# registry, so no Docker is needed on the machine of the person who deploys.
ARG BASE=mcr.microsoft.com/azure-functions/python:4-python3.13
# A digest pins the base for a build that can be repeated: --build-arg BASE=mcr.microsoft.com/azure-functions/python@sha256:…
# hadolint ignore=DL3006
FROM ${BASE}

SHELL ["/bin/bash", "-o", "pipefail", "-c"]

# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ffmpeg \
    && rm -rf /var/lib/apt/lists/* \
    && ffmpeg -hide_banner -encoders | grep --quiet libx264

ENV AzureWebJobsScriptRoot=/home/site/wwwroot \
    AzureFunctionsJobHost__Logging__Console__IsEnabled=true \
    PYTHON_SCRIPT_FILE_NAME=encoder_app.py \
    PYTHONDONTWRITEBYTECODE=1 \
    WORK_DIR=/tmp

COPY requirements.txt /tmp/requirements.txt
RUN python -m pip install --no-cache-dir --requirement /tmp/requirements.txt && rm /tmp/requirements.txt

COPY host.json encoder_app.py /home/site/wwwroot/
COPY functions /home/site/wwwroot/functions
COPY sql /home/site/wwwroot/sql
COPY infra/__init__.py /home/site/wwwroot/infra/
COPY infra/migrations /home/site/wwwroot/infra/migrations

WORKDIR /home/site/wwwroot
RUN useradd --system --no-create-home --uid 10001 notflix
USER 10001
ENV ASPNETCORE_URLS=http://+:8080
EXPOSE 8080
