# In place of `postgres:18`: the server of npm's embedded PostgreSQL, with Debian's psql and pg_isready.
ARG BASE_IMAGE
FROM ${BASE_IMAGE}
COPY packages/ /tmp/packages/
RUN dpkg --install /tmp/packages/*.deb && rm -r /tmp/packages \
 && useradd --system --uid 999 --home-dir /var/lib/postgresql postgres \
 && install -d -o postgres /var/lib/postgresql /var/run/postgresql
COPY native/ /usr/lib/postgresql/18/
COPY --chmod=755 postgres-entrypoint /usr/local/bin/
ENV PATH=/usr/lib/postgresql/18/bin:/usr/lib/postgresql/15/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PGDATA=/var/lib/postgresql/18/docker
VOLUME /var/lib/postgresql
USER postgres
STOPSIGNAL SIGINT
EXPOSE 5432
ENTRYPOINT ["postgres-entrypoint"]
CMD ["postgres"]
