# In place of `rabbitmq:4`: Debian 13's, which brings its own Erlang and C library. RabbitMQ itself reads the user and the
# password of a first start from the variables that the official image documents.
ARG BASE_IMAGE
FROM ${BASE_IMAGE}
RUN useradd --system --uid 999 --home-dir /var/lib/rabbitmq rabbitmq && install -d -o rabbitmq /var/lib/rabbitmq
COPY rabbitmq/ /opt/rabbitmq/
RUN ln -s /opt/rabbitmq/usr/lib/rabbitmq/lib/rabbitmq_server-* /opt/rabbitmq/server
ENV PATH=/opt/rabbitmq/server/sbin:/opt/rabbitmq/usr/lib/erlang/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    HOME=/var/lib/rabbitmq \
    LANG=C.UTF-8 \
    RABBITMQ_CONF_ENV_FILE=/dev/null \
    RABBITMQ_MNESIA_BASE=/var/lib/rabbitmq/mnesia \
    RABBITMQ_LOG_BASE=/var/lib/rabbitmq/log \
    RABBITMQ_ENABLED_PLUGINS_FILE=/var/lib/rabbitmq/enabled_plugins \
    RABBITMQ_LOGS=-
VOLUME /var/lib/rabbitmq
USER rabbitmq
EXPOSE 5672
CMD ["rabbitmq-server"]
