# In place of `haproxy:lts`: Debian's.
ARG BASE_IMAGE
FROM ${BASE_IMAGE}
COPY packages/ /tmp/packages/
RUN dpkg --install /tmp/packages/*.deb && rm -r /tmp/packages
USER haproxy
STOPSIGNAL SIGUSR1
CMD ["haproxy", "-f", "/etc/haproxy/haproxy.cfg"]
