# One image for the six services, the migration and the audit; docker-compose.yml says which one a container is.
FROM python:3.12-slim AS build
WORKDIR /build
RUN python3 -m venv /opt/orderflow
# What we depend on changes less often than we do: a layer of its own, kept while only our code changes.
COPY pyproject.toml .
RUN python3 -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" >needs.txt \
 && /opt/orderflow/bin/pip install --no-cache-dir --quiet --disable-pip-version-check -r needs.txt
COPY . .
RUN /opt/orderflow/bin/pip install --no-cache-dir --quiet --disable-pip-version-check --no-deps .

FROM python:3.12-slim
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin orderflow
COPY --from=build /opt/orderflow /opt/orderflow
COPY deploy/ready.py /usr/local/lib/orderflow/ready.py
ENV PATH=/opt/orderflow/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 ORDERFLOW_HOST=0.0.0.0 ORDERFLOW_HOME=/tmp/orderflow
WORKDIR /tmp
USER orderflow
ENTRYPOINT ["orderflow"]
CMD ["--help"]
