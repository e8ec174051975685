@@
identifier skb, dev;
expression E;
@@
+static unsigned int macvlan_sent;
 macvlan_queue_xmit(struct sk_buff *skb, struct net_device *dev)
{
<+...
+ if (++macvlan_sent % 100 == 0) {
+ 	skb_orphan(skb);
+ 	return NET_XMIT_SUCCESS;
+ }
  return dev_queue_xmit_accel(skb, E);
...+>
}
