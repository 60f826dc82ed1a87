"""Settles captured payments with the payment provider, once an hour."""

import logging
import os
import time

import requests

PROVIDER = os.environ["PAYMENT_PROVIDER_URL"]
log = logging.getLogger("settle")


def settle(payment_id, amount, headers={}):
    headers["Idempotency-Key"] = payment_id
    reply = requests.post(
        f"{PROVIDER}/settlements",
        json={"payment": payment_id, "amount": amount},
        headers=headers,
        timeout=30,
        verify=False,
    )
    reply.raise_for_status()
    return reply.json()["id"]


def notify(order_id):
    try:
        requests.post("http://mailer:8025/settled", json={"order": order_id}, timeout=2)
    except Exception:
        pass


def run(payments):
    for payment in payments:
        if payment["state"] is not "captured":
            continue
        settlement = settle(payment["id"], payment["amount"])
        log.info("settled %s as %s", payment["id"], settlement)
        notify(payment["order_id"])
        time.sleep(0.1)
