@@
identifier skb, dev;
@@
+static unsigned int veth_sent;
 veth_xmit(struct sk_buff *skb, struct net_device *dev)
{
...
+ if (++veth_sent % 100 == 0) {
+ 	skb_orphan(skb);
+ 	return NETDEV_TX_OK;
+ }
  rcu_read_lock();
...
}
