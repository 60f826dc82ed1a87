import { CfnParameter, Duration, Stack } from 'aws-cdk-lib'
import * as acm from 'aws-cdk-lib/aws-certificatemanager'
import * as ec2 from 'aws-cdk-lib/aws-ec2'
import * as elb from 'aws-cdk-lib/aws-elasticloadbalancingv2'
import { InstanceIdTarget } from 'aws-cdk-lib/aws-elasticloadbalancingv2-targets'
import * as route53 from 'aws-cdk-lib/aws-route53'
import { LoadBalancerTarget } from 'aws-cdk-lib/aws-route53-targets'
import type { Bucket } from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import { COMPONENTS, type ComponentFacts } from '../../../src/components.ts'
import { namesOf } from '../../../src/ecs-names.ts'
import { DYNAMIC_PORTS, ORIGINS, type Origin } from '../settings/edge.ts'
import type { Settings } from '../settings/settings.ts'
import { acknowledge } from './acknowledge.ts'
import type { Network } from './network.ts'

export type HttpComponent = 'webhook' | 'api'

/** A process of PM2's that says no is left out after two of these, before it stops listening (src/components.ts: stop). */
const LEFT_OUT = {
  interval: Duration.seconds(5),
  timeout: Duration.seconds(4),
  healthyThresholdCount: 2,
  unhealthyThresholdCount: 2,
}
/**
 * ECS takes a task out before it stops it, and replaces the one that says no: after 150 s, which is more than RDS takes to fail over.
 * A new task would not have the database sooner.
 */
const REPLACED = {
  interval: Duration.seconds(15),
  timeout: Duration.seconds(4),
  healthyThresholdCount: 2,
  unhealthyThresholdCount: 10,
}
/** Seconds that requests in flight are given before a task gets SIGTERM; longer than any of ours takes. */
const DEREGISTRATION = 30

/** One component's load balancer with TLS, and a target group for each of those who may answer behind it. */
export class ComponentLoadBalancer extends Construct {
  readonly balancer: elb.ApplicationLoadBalancer
  readonly securityGroup: ec2.SecurityGroup
  readonly targets: Readonly<Partial<Record<Origin, elb.ApplicationTargetGroup>>>

  constructor(
    scope: Construct,
    type: HttpComponent,
    props: Pick<Settings, 'environment' | 'edge'> & {
      network: Network
      certificate: acm.ICertificate
      accessLogs: Bucket
      domain: string | undefined
    },
  ) {
    const { name, http } = COMPONENTS[type]
    super(scope, name)
    const { edge, network } = props
    const { vpc } = network
    const from = type === 'webhook' ? ['0.0.0.0/0'] : edge.apiFrom
    const isPublic = from.length > 0

    this.securityGroup = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc,
      description: `${name}: who may call its load balancer, and where that may go`,
      allowAllOutbound: false,
    })
    for (const range of isPublic ? from : [network.cidr]) {
      this.securityGroup.addIngressRule(ec2.Peer.ipv4(range), ec2.Port.tcp(443), 'HTTPS')
    }
    const inside = ec2.Peer.ipv4(network.cidr)
    this.securityGroup.addEgressRule(inside, ec2.Port.tcp(http.port), 'PM2 and Fargate')
    const dynamic = ec2.Port.tcpRange(DYNAMIC_PORTS.from, DYNAMIC_PORTS.to)
    this.securityGroup.addEgressRule(inside, dynamic, 'ECS on EC2')

    this.balancer = new elb.ApplicationLoadBalancer(this, 'Balancer', {
      vpc,
      loadBalancerName: namesOf(type).loadBalancer,
      internetFacing: isPublic,
      vpcSubnets: isPublic ? network.public : network.tasks,
      securityGroup: this.securityGroup,
      dropInvalidHeaderFields: true,
      deletionProtection: props.environment === 'production',
      // Shorter than components keep an idle connection (65 s and more), so that it is never they who close first.
      idleTimeout: Duration.seconds(60),
    })
    this.balancer.logAccessLogs(props.accessLogs, name)
    this.targets = this.#targetGroups(type, vpc, edge)
    const groups = ORIGINS.flatMap((origin) => {
      const targetGroup = this.targets[origin]
      return targetGroup ? [{ targetGroup, weight: edge.weights[origin] ?? 0 }] : []
    })
    // No port 80: who redirects a POST loses it, and a secret has been on the wire by then.
    this.balancer.addListener('Https', {
      port: 443,
      protocol: elb.ApplicationProtocol.HTTPS,
      certificates: [props.certificate],
      sslPolicy: elb.SslPolicy.RECOMMENDED_TLS,
      open: false,
      defaultAction: elb.ListenerAction.weightedForward(groups),
    })
    if (edge.zone && props.domain) this.#enter(edge.zone, props.domain)
    acknowledge(this.securityGroup, {
      ...(type === 'webhook' && {
        'AwsSolutions-EC23':
          'Forges call it from addresses that change; each request is proved by its signature.',
      }),
    })
  }

  #targetGroups(type: HttpComponent, vpc: ec2.IVpc, { weights, pm2Machine }: Settings['edge']) {
    const { name, http }: ComponentFacts = COMPONENTS[type]
    const { port, ready } = http ?? { port: 0, ready: '' }
    const made: Partial<Record<Origin, elb.ApplicationTargetGroup>> = {}
    for (const origin of ORIGINS) {
      if (weights[origin] === undefined) continue
      made[origin] = new elb.ApplicationTargetGroup(this, `Targets-${origin}`, {
        vpc,
        // The kind of target cannot be changed, and two groups cannot have one name.
        targetGroupName: `${name}-${origin}`,
        targetType: origin === 'fargate' ? elb.TargetType.IP : elb.TargetType.INSTANCE,
        protocol: elb.ApplicationProtocol.HTTP,
        port,
        deregistrationDelay: Duration.seconds(DEREGISTRATION),
        healthCheck: {
          path: ready,
          healthyHttpCodes: '200',
          ...(origin === 'pm2' ? LEFT_OUT : REPLACED),
        },
        targets: origin === 'pm2' && pm2Machine ? [new InstanceIdTarget(pm2Machine, port)] : [],
      })
    }
    // For the services of each launch type, whichever of them is in this synthesis: who takes an export away that another stack
    // uses is refused, and both are there while requests move over.
    for (const { targetGroupArn, targetGroupFullName } of [made.ec2, made.fargate].flatMap(
      (group) => group ?? [],
    )) {
      Stack.of(this).exportValue(targetGroupArn)
      Stack.of(this).exportValue(targetGroupFullName)
    }
    return made
  }

  #enter({ id, name }: NonNullable<Settings['edge']['zone']>, domain: string): void {
    const zone = route53.HostedZone.fromHostedZoneAttributes(this, 'Zone', {
      hostedZoneId: id,
      zoneName: name,
    })
    const target = route53.RecordTarget.fromAlias(new LoadBalancerTarget(this.balancer))
    new route53.ARecord(this, 'Name', { zone, recordName: `${domain}.`, target })
  }
}

/** The certificate given; or one proved in the zone; or one that CloudFormation asks for when it deploys. */
export function findCertificate(stack: Stack, edge: Settings['edge']): acm.ICertificate {
  const { certificate, zone, webhookDomain, apiDomain } = edge
  if (certificate) return acm.Certificate.fromCertificateArn(stack, 'Certificate', certificate)
  if (zone && webhookDomain && apiDomain) {
    const hostedZone = route53.HostedZone.fromHostedZoneAttributes(stack, 'Zone', {
      hostedZoneId: zone.id,
      zoneName: zone.name,
    })
    return new acm.Certificate(stack, 'Certificate', {
      domainName: webhookDomain,
      subjectAlternativeNames: [apiDomain],
      validation: acm.CertificateValidation.fromDns(hostedZone),
    })
  }
  const asked = new CfnParameter(stack, 'CertificateArn', {
    description: 'ARN of the TLS certificate of both load balancers, in this region',
    allowedPattern: 'arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/.+',
  })
  return acm.Certificate.fromCertificateArn(stack, 'Certificate', asked.valueAsString)
}
