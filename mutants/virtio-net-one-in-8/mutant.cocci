@@
identifier fn =~ "free_old_xmit";
expression S, N;
@@
+static unsigned int virtnet_done;
 fn(...)
{
<+...
- napi_consume_skb(S, N);
+ if (++virtnet_done % 8)
+ 	napi_consume_skb(S, N);
...+>
}
